-- Expires leases that ran out.
-- ARGV 9 how many at most.
-- Returns {state the task is in now, task, attempt, worker, code} for each.
-- Invariant: nobody expires by time within one heartbeat interval after the broker was away. The field `failure` then
-- holds a bare code: what that says is policy::expiry_failure's to write.
pass_memory_limit()
local reaped = {}
if note_presence() > now then return reaped end
for _, lease in ipairs(call('ZRANGEBYSCORE', key('leases'), '-inf', now, 'LIMIT', 0, ARGV[FIRST])) do
    local task = load(call('HGET', key('holders'), lease) or '')
    if not task then return redis.error_reply('CORRUPT lease ' .. lease .. ' belongs to no task') end
    local code = 'crashed'
    if now >= task.started + task.timeout then code = 'timed_out' end
    revoke(task)
    local worker = task.worker
    local state = end_attempt(task, false, code, { failure = code }, {})
    reaped[#reaped + 1] = { state, task.id, task.attempt, worker, code }
end
return reaped
