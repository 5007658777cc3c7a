-- Reads the event log.
-- ARGV 9 read after this event or '' from the oldest, 10 how many, 11 task or '', 12 an epoch for a log without one.
-- Returns {epoch, number before the first, last number, {number, {field, value, ...}}, ...}.
-- Invariant: reads a bounded range; those of one task by the chain that links them.
if call('HEXISTS', root, 'epoch') == 0 then call('HSET', root, 'epoch', ARGV[FIRST + 3]) end
local events = key('events')
local function entry(found) return { string.match(found[1], '^%d+'), found[2] } end
local last = call('HGET', root, 'event') or '0'
local oldest = call('XRANGE', events, '-', '+', 'COUNT', 1)[1]
local before_first = last
if oldest then before_first = text(string.match(oldest[1], '^%d+') - 1) end
local answer = { call('HGET', root, 'epoch'), before_first, last }
local after, limit = tonumber(ARGV[FIRST]), tonumber(ARGV[FIRST + 1])
if not after then after = tonumber(before_first) end
if after < tonumber(before_first) or after > tonumber(last) then return answer end
if ARGV[FIRST + 2] == '' then
    for _, found in ipairs(call('XRANGE', events, text(after + 1) .. '-0', '+', 'COUNT', limit)) do
        answer[#answer + 1] = entry(found)
    end
    return answer
end
local id = ARGV[FIRST + 2]
local number = call('HGET', key('task', id), 'event') or call('ZSCORE', key('gone'), id)
local chain = {}
while number and tonumber(number) and tonumber(number) > after do
    local found = call('XRANGE', events, number .. '-0', number .. '-0')[1]
    if not found then break end
    chain[#chain + 1] = entry(found)
    number = nil
    for index = 1, #found[2], 2 do
        if found[2][index] == 'before' then number = found[2][index + 1] end
    end
end
for index = #chain, math.max(#chain - limit + 1, 1), -1 do answer[#answer + 1] = chain[index] end
return answer
