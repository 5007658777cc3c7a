-- Deletes expired records, forgets expired registry entries and deleted tasks whose events are gone, and trims the log
-- to its length. Idempotency keys expire by themselves.
-- ARGV 9 how many of all kinds at most. The log, which every event trims, is not counted.
-- Returns how many.
-- Invariant: takes nothing that has not expired.
pass_memory_limit()
local limit = tonumber(ARGV[FIRST])
local purged = 0
local function due(set, last)
    local found = call('ZRANGEBYSCORE', key(set), '-inf', last, 'LIMIT', 0, limit - purged)
    purged = purged + #found
    return found
end
for _, id in ipairs(due('expiring', now)) do remove(load(id)) end
for _, name in ipairs(due('entries', now)) do
    local length, rest = string.match(name, '^(%d+):(.*)$')
    call('ZREM', key('names:' .. string.sub(rest, 1, length)), string.sub(rest, length + 2))
    call('DEL', key('entry', name))
    call('ZREM', key('entries'), name)
end
local excess = call('XLEN', key('events')) - MAX_EVENTS
if excess > 0 and excess <= limit then
    call('XTRIM', key('events'), 'MAXLEN', MAX_EVENTS)
elseif excess > 0 then
    call('XTRIM', key('events'), 'MAXLEN', '~', MAX_EVENTS, 'LIMIT', math.max(limit, 200))
end
-- Where the events of a deleted task are is remembered as long as they are kept.
local first = call('XRANGE', key('events'), '-', '+', 'COUNT', 1)[1]
if first then
    local before = '(' .. string.match(first[1], '^%d+')
    for _, id in ipairs(due('gone', before)) do call('ZREM', key('gone'), id) end
end
return purged
