-- Sends a failed task round again.
-- ARGV 9 task.
-- Returns {'done', record}, {'missing'} or {'conflict', state}.
-- Invariant: its attempts start anew, and it no longer expires.
local task = load(ARGV[FIRST])
if not task then return { 'missing' } end
if not AFTER_RETRY[task.state] then return { 'conflict', task.state } end
move(task, AFTER_RETRY, 'task.retried', '', { attempt = '0', ready = NOW, due = false, finished = false,
    failure = false })
return { 'done', record(task) }
