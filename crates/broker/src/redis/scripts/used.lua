-- Tells which task an idempotency key stands for; whether its record is there, maybe in another partition, is for the
-- caller to see.
-- ARGV 9 key.
-- Returns {task}, or {} when the key is unknown or forgotten.
-- Invariant: only reads.
local used = call('HMGET', key('key', ARGV[FIRST]), 'task', 'until')
if used[1] and tonumber(used[2]) > now then return { used[1] } end
return {}
