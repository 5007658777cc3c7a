-- Leases ready tasks: by priority, raised by age, then by arrival.
-- ARGV 9 queue, 10 worker, 11 request, 12 slots, 13 bytes, 14 '1' when the worker is idle, 15 tasks to pass over at
--      most, 16 on as many fresh leases as slots.
-- Returns {now, next due or '', lease, expires, record, lease, expires, record, ...}.
-- Invariant: a task is leased to one; the same request gets the same leases while they are in force (policy::Offer).
local MAX_PROMOTED = 256
local queue, worker, request = ARGV[FIRST], ARGV[FIRST + 1], ARGV[FIRST + 2]
local slots, bytes, any_size = tonumber(ARGV[FIRST + 3]), tonumber(ARGV[FIRST + 4]), ARGV[FIRST + 5] == '1'
local most_passed = tonumber(ARGV[FIRST + 6])
pass_memory_limit()
note_presence()

local delayed = key('delayed:' .. queue)
for _, place in ipairs(redis.call('ZRANGEBYSCORE', delayed, '-inf', now, 'LIMIT', 0, MAX_PROMOTED)) do
    local task = load(id_of(place))
    redis.call('ZREM', delayed, place)
    if task then make_ready(task) end
end
local answer = { text(now), '' }
local next_place = redis.call('ZRANGE', delayed, 0, 0)[1]
if next_place then answer[2] = redis.call('HGET', key('task:' .. id_of(next_place)), 'ready') or '' end

local asked = redis.call('HGET', key('asked:' .. worker), request)
if asked then
    for lease in string.gmatch(asked, '%x+') do
        local id = redis.call('HGET', key('holders'), lease)
        local expires = redis.call('ZSCORE', key('leases'), lease)
        answer[#answer + 1] = lease
        answer[#answer + 1] = text(tonumber(expires))
        answer[#answer + 1] = record(id)
    end
    return answer
end

local ready = key('ready:' .. queue)
local chosen, passed, at = {}, 0, 0
while #chosen < slots and passed < most_passed do
    local places = redis.call('ZRANGE', ready, at, at + math.min(slots + passed, 100) - 1)
    if #places == 0 then break end
    for _, place in ipairs(places) do
        local cost = tonumber(redis.call('HGET', key('task:' .. id_of(place)), 'cost'))
        if #chosen == slots or passed >= most_passed then break end
        if cost > bytes and not any_size then
            passed = passed + 1
        else
            chosen[#chosen + 1] = id_of(place)
            bytes, any_size = math.max(bytes - cost, 0), false
        end
    end
    at = at + #places
end

local leases = {}
for index, id in ipairs(chosen) do
    local task, lease = load(id), ARGV[FIRST + 6 + index]
    local expires = text(math.min(now + LEASE, now + task.timeout))
    move(task, 'claim', 'task.started', '', { attempt = text(task.attempt + 1), started = text(now), lease = lease,
        worker = worker, request = request })
    redis.call('HSET', key('holders'), lease, id)
    redis.call('ZADD', key('leases'), expires, lease)
    leases[index] = lease
    answer[#answer + 1] = lease
    answer[#answer + 1] = expires
    answer[#answer + 1] = record(id)
end
if #leases > 0 then
    redis.call('HSET', key('asked:' .. worker), request, table.concat(leases, ' '))
    -- One token wakes one process: whoever leaves something behind passes it on.
    if redis.call('ZCARD', ready) > 0 then wake('q:' .. queue) end
end
return answer
