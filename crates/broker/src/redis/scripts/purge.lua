-- Deletes expired records, forgets expired registry entries, and trims the log to its length.
-- ARGV 9 how many of each at most.
-- Returns how many records.
-- Invariant: takes nothing that has not expired.
pass_memory_limit()
local limit = tonumber(ARGV[FIRST])
local purged = 0
for _, id in ipairs(call('ZRANGEBYSCORE', key('expiring'), '-inf', now, 'LIMIT', 0, limit)) do
    remove(load(id))
    purged = purged + 1
end
for _, name in ipairs(call('ZRANGEBYSCORE', key('entries'), '-inf', now, 'LIMIT', 0, limit)) do
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
    for _, id in ipairs(call('ZRANGEBYSCORE', key('gone'), '-inf', before, 'LIMIT', 0, limit)) do
        call('ZREM', key('gone'), id)
    end
end
return purged
