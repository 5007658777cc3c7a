-- Leases ready tasks: by priority, raised by age, then by arrival.
-- ARGV 9 queue, 10 worker, 11 request, 12 slots, 13 bytes, 14 '1' when the worker is idle, 15 tasks to pass over at
--      most, 16 on as many fresh leases as slots.
-- Returns {now, next due or '', lease, expires, record, lease, expires, record, ...}.
-- Invariant: a task is leased to one; the same request gets the same leases while they are in force (policy::Offer).
local MAX_PROMOTED = 256
local queue, worker, request = ARGV[FIRST], ARGV[FIRST + 1], ARGV[FIRST + 2]
local slots, bytes, any_size = tonumber(ARGV[FIRST + 3]), tonumber(ARGV[FIRST + 4]), ARGV[FIRST + 5] == '1'
local most_passed = tonumber(ARGV[FIRST + 6])
note_presence()

-- Delayed tasks are scored by when they are ready.
local delayed = key('delayed', queue)
local first_delayed = call('ZRANGE', delayed, 0, 0, 'WITHSCORES')
if first_delayed[1] and tonumber(first_delayed[2]) <= now then
    for _, place in ipairs(call('ZRANGEBYSCORE', delayed, '-inf', now, 'LIMIT', 0, MAX_PROMOTED)) do
        local task = load(id_of(place))
        call('ZREM', delayed, place)
        if task then make_ready(task) end
    end
    first_delayed = call('ZRANGE', delayed, 0, 0, 'WITHSCORES')
end
local answer = { NOW, first_delayed[1] and text(tonumber(first_delayed[2])) or '' }

local asked = call('HGET', key('asked', worker), request)
if asked then
    for lease in string.gmatch(asked, '%x+') do
        local id = call('HGET', key('holders'), lease)
        local expires = call('ZSCORE', key('leases'), lease)
        answer[#answer + 1] = lease
        answer[#answer + 1] = text(tonumber(expires))
        answer[#answer + 1] = record(load(id))
    end
    return answer
end

local ready = key('ready', queue)
local chosen, passed, at = {}, 0, 0
while #chosen < slots and passed < most_passed do
    local places = call('ZRANGE', ready, at, at + math.min(slots + passed, 100) - 1)
    if #places == 0 then break end
    for _, place in ipairs(places) do
        if #chosen == slots or passed >= most_passed then break end
        -- The first one fits, most of the time; of many that do not, no more is read than it takes.
        local id = id_of(place)
        local task = passed == 0 and load(id)
        local cost = tonumber(task and task.cost or call('HGET', key('task', id), 'cost'))
        if cost > bytes and not any_size then
            passed = passed + 1
        else
            chosen[#chosen + 1] = task or load(id)
            bytes, any_size = math.max(bytes - cost, 0), false
        end
    end
    at = at + #places
end

local leases = {}
for index, task in ipairs(chosen) do
    local lease = ARGV[FIRST + 6 + index]
    local expires = text(math.min(now + LEASE, now + task.timeout))
    move(task, AFTER_CLAIM, 'task.started', '', { attempt = text(task.attempt + 1), started = NOW, lease = lease,
        worker = worker, request = request })
    call('HSET', key('holders'), lease, task.id)
    call('ZADD', key('leases'), expires, lease)
    leases[index] = lease
    answer[#answer + 1] = lease
    answer[#answer + 1] = expires
    answer[#answer + 1] = record(task)
end
if #leases > 0 then
    call('HSET', key('asked', worker), request, table.concat(leases, ' '))
    -- One token wakes one process: whoever leaves something behind passes it on.
    wake('q:' .. queue, ready)
end
return answer
