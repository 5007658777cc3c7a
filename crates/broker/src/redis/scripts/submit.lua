-- Stores a client's task, its place in the queue and the event task.queued.
-- ARGV 9 fingerprint, 10 idempotency key, or '' when there is none or it was reserved; 11 key's life, ms; 12 '1' when the
--      input was staged too long ago; 13 until when to store it (reserve.lua) or ''; 14 on the task.
-- Returns {'created', now}, {'existing', record}, {'full', queued}, {'reused'}, {'staged'} or {'late'}.
-- Invariant: of many calls with one id or one key one creates; a full queue or a refused call leaves no trace.
local fingerprint, idempotency = ARGV[FIRST], ARGV[FIRST + 1]
local id, queue = ARGV[FIRST + 5], ARGV[FIRST + 6]
local stored = load(id)
if stored then return { 'existing', record(stored) } end
local used = idempotency ~= '' and call('HMGET', key('key', idempotency), 'fingerprint', 'task', 'until')
if used and used[1] and tonumber(used[3]) > now then
    local earlier = load(used[2])
    if earlier and used[1] ~= fingerprint then return { 'reused' } end
    if earlier then return { 'existing', record(earlier) } end
end
if ARGV[FIRST + 3] == '1' then return { 'staged' } end
if ARGV[FIRST + 4] ~= '' and now >= tonumber(ARGV[FIRST + 4]) then return { 'late' } end
local queued = call('ZCARD', key('state:' .. queue .. ':queued'))
if queued >= MAX_QUEUED then return { 'full', queued } end
if used then
    local life = ARGV[FIRST + 2]
    call('HSET', key('key', idempotency), 'fingerprint', fingerprint, 'task', id, 'until', text(now + life))
    call('PEXPIRE', key('key', idempotency), life)
end
-- Whoever put another into the queue made it known.
enqueue(FIRST + 5, queued > 0)
return { 'created', NOW }
