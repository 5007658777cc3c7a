-- Takes an idempotency key before its task is stored, which may be in another partition.
-- ARGV 9 fingerprint, 10 key, 11 key's life, ms; 12 task, 13 the task that the caller found gone, or ''; 14 how long the
--      caller may take to store the task, ms.
-- Returns {'yours', until when to store it}, {'used', fingerprint, task, '1' when it is stored by now or never} or
--      {'busy'}.
-- Invariant: while one may still store its task, nobody else gets the key.
local fingerprint, task, gone = ARGV[FIRST], ARGV[FIRST + 3], ARGV[FIRST + 4]
local place = key('key', ARGV[FIRST + 1])
local used = call('HMGET', place, 'fingerprint', 'task', 'until', 'busy')
if used[1] and tonumber(used[3]) > now and used[2] ~= task then
    local settled = tonumber(used[4]) <= now
    if used[2] ~= gone then return { 'used', used[1], used[2], settled and '1' or '' } end
    if not settled then return { 'busy' } end
end
local busy = text(now + ARGV[FIRST + 5])
call('HSET', place, 'fingerprint', fingerprint, 'task', task, 'until', text(now + ARGV[FIRST + 2]), 'busy', busy)
call('PEXPIRE', place, ARGV[FIRST + 2])
return { 'yours', busy }
