-- Writes one registry entry when what is expected is found.
-- ARGV 9 namespace, 10 key, 11 value, 12 'any', 'absent' or the version, 13 life, ms, or ''.
-- Returns {'stored', version} or {'found', value or false, version, expires or ''}.
-- Invariant: one counter for all keys, so that a version never comes back.
local space, name, expected, life = ARGV[FIRST], ARGV[FIRST + 1], ARGV[FIRST + 3], tonumber(ARGV[FIRST + 4])
local place = #space .. ':' .. space .. ':' .. name
local entry = key('entry', place)
local found = call('HMGET', entry, 'value', 'version', 'expires')
if found[1] and found[3] and tonumber(found[3]) <= now then found = { false, false, false } end
if (expected == 'absent' and found[1]) or (expected ~= 'any' and expected ~= 'absent' and found[2] ~= expected) then
    return { 'found', found[1], found[2], found[3] or '' }
end
-- Few, and small: a worker that could not say so would count as gone while it makes room.
pass_memory_limit()
local version = text(call('HINCRBY', root, 'version', 1))
call('HSET', entry, 'value', ARGV[FIRST + 2], 'version', version)
call('ZADD', key('names', space), 0, name)
if life then
    call('HSET', entry, 'expires', text(now + life))
    call('ZADD', key('entries'), now + life, place)
else
    call('HDEL', entry, 'expires')
    call('ZREM', key('entries'), place)
end
return { 'stored', version }
