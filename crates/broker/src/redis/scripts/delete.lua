-- Replaces a record by a note that its blobs are to be deleted.
-- ARGV 9 task.
-- Returns {'done'} or {'missing'}.
-- Invariant: nothing leads to the record any more, and its leases are void.
pass_memory_limit()
local task = load(ARGV[FIRST])
if not task then return { 'missing' } end
remove(task)
return { 'done' }
