-- Ends the task of a lease with outputs.
-- ARGV 9 lease, 10 outputs (JSON), 11 count of follow-ups, 12 on the follow-ups.
-- Returns {'done', record} or {'stale'}.
-- Invariant: of all who held a lease of the task one result counts; repeated by the same lease it changes nothing.
local task, held = named(ARGV[FIRST], 'c')
if not task then return { 'stale' } end
if held then
    drop_lease(task, true)
    move(task, AFTER_COMPLETE, 'task.completed', '', { success = ARGV[FIRST + 1], failure = false,
        ended = ended(task, 'c'), lease = false, worker = false, request = false })
    enqueue_owed(FIRST + 2)
end
return { 'done', record(task) }
