-- Ends the attempt of a lease without outputs: queued again with backoff, or a dead letter.
-- ARGV 9 lease, 10 failure (JSON), 11 its code, 12 '1' when no attempt can change it, 13 random, 0 to 1;
--      14 count of follow-ups, 15 on the follow-ups.
-- Returns {'done', record} or {'stale'}.
-- Invariant: as policy::after_failure and policy::backoff; follow-ups come with the last attempt only, and once.
local task, held = named(ARGV[FIRST], 'f')
if not task then return { 'stale' } end
if held then
    local ceiling = math.min(tonumber(ARGV[6]) * 2 ^ math.min(task.attempt - 1, 31), tonumber(ARGV[7]))
    local due = text(now + math.ceil(ceiling * ARGV[FIRST + 4]))
    drop_lease(task, true)
    local state = end_attempt(task, ARGV[FIRST + 3] == '1', ARGV[FIRST + 2],
        { failure = ARGV[FIRST + 1], ended = ended(task, 'f') }, { due = due, ready = due })
    if state == 'failed' then enqueue_owed(FIRST + 5) end
end
return { 'done', record(task) }
