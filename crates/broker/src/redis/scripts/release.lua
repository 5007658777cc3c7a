-- Gives the task of a lease back at its old place, without burning the attempt.
-- ARGV 9 lease.
-- Returns {'done', record} or {'stale'}.
-- Invariant: the lease is never valid again; repeated by the same lease it changes nothing.
local task, held = named(ARGV[FIRST], 'r')
if not task then return { 'stale' } end
if held then
    drop_lease(task, true)
    move(task, AFTER_REQUEUE, 'task.released', '', { attempt = text(task.attempt - 1), ended = ended(task, 'r'),
        lease = false, worker = false, request = false }, task.attempt)
end
return { 'done', record(task) }
