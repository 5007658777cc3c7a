-- Calls a task off.
-- ARGV 9 task, 10 count of follow-ups, 11 on the follow-ups.
-- Returns {'done', record}, {'missing'} or {'conflict', state}.
-- Invariant: its lease is void at once; cancelled again it changes nothing.
pass_memory_limit()
local task = load(ARGV[FIRST])
if not task then return { 'missing' } end
if task.state ~= 'cancelled' then
    if not AFTER_CANCEL[task.state] then return { 'conflict', task.state } end
    revoke(task)
    move(task, AFTER_CANCEL, 'task.cancelled', '', { lease = false, worker = false, request = false })
    enqueue_owed(FIRST + 1)
end
return { 'done', record(task) }
