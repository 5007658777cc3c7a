-- Deletes one registry entry when what is expected is found.
-- ARGV 9 namespace, 10 key, 11 'any', 'absent' or the version.
-- Returns 1 when it was there and is gone.
-- Invariant: an expired entry does not exist.
local space, name, expected = ARGV[FIRST], ARGV[FIRST + 1], ARGV[FIRST + 2]
local place = #space .. ':' .. space .. ':' .. name
local found = call('HMGET', key('entry', place), 'version', 'expires')
if not found[1] or (found[2] and tonumber(found[2]) <= now) then return 0 end
if expected ~= 'any' and found[1] ~= expected then return 0 end
call('DEL', key('entry', place))
call('ZREM', key('names', space), name)
call('ZREM', key('entries'), place)
return 1
