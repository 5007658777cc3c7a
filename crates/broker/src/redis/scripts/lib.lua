-- What scripts begin with, after the tables of legal transitions that TaskState::after is asked for. A script is given
-- the sections it needs (script.rs): what a blank line separates is one, and comes before its uses.
--
-- Most of what a script costs is Lua's work, not the commands': numbers go to commands as text where that is at hand, since
-- Redis writes others with 17 digits; tables begin as long as they become; an answer has the fields that are read.
--
-- KEYS[1]  the partition, such as {pixmill:0}: the hash of its counters, and the stem of all its other keys. Those are
--          built here, lie in the same slot by their hash tag, and belong to this partition alone.
-- ARGV     1 now, ms, or '' for the server's own clock; 2 lease, ms; 3 ageing, ms; 4 retention, ms, or '';
--          5 events kept; 6 first backoff, ms; 7 longest backoff, ms; 8 waiting tasks allowed; 9 on: the script's own.
-- Invariant: a record, its place in exactly the sets that its state asks for, and its event change in one script.
local call = redis.call
local root = KEYS[1]
local now = tonumber(ARGV[1])
if not now then
    local time = call('TIME')
    now = time[1] * 1000 + math.floor(time[2] / 1000)
end
local FIRST = 9

local LEASE = tonumber(ARGV[2])

local AGEING = tonumber(ARGV[3])

local RETENTION = tonumber(ARGV[4])

-- The log always keeps one.
local MAX_EVENTS = ARGV[5] == '0' and '1' or ARGV[5]

local MAX_QUEUED = tonumber(ARGV[8])

-- The key of a partition's `kind`, or of one of that kind.
local function key(kind, name)
    if name then return root .. ':' .. kind .. ':' .. name end
    return root .. ':' .. kind
end
-- Lua would write large numbers as 1.7e+15. Whole ones are written faster where they fit.
local function text(number) return string.format(math.abs(number) < 2 ^ 53 and '%d' or '%.0f', number) end

local NOW = text(now)

-- For what ends in less memory than it began with: Redis refuses a write beyond maxmemory only when it is the first of its
-- script, and a removal, even of nothing, is never refused.
local function pass_memory_limit() call('DEL', key('nothing')) end

-- Tokens a wake list holds at most: they carry nothing, more would say no more.
local MAX_TOKENS = 64
-- Leaves word in a wake list; with `filled`, only when that set has members.
local function wake(list, filled)
    local tokens = key('wake', list)
    if call('LLEN', tokens) < MAX_TOKENS and (not filled or call('ZCARD', filled) > 0) then
        call('RPUSH', tokens, '1')
    end
end

-- A record as a table, its id beside its fields.
local function load(id)
    local flat = call('HGETALL', key('task', id))
    if not flat[1] then return nil end
    local task = { id = id }
    for index = 1, #flat, 2 do task[flat[index]] = flat[index + 1] end
    return task
end

-- What record.rs reads of a record, field and value in turn; '' where there is none.
local function record(task)
    return { 'v', task.v, 'task', task.task, 'state', task.state, 'attempt', task.attempt, 'created', task.created,
        'due', task.due or '', 'started', task.started or '', 'finished', task.finished or '',
        'expires', task.expires or '', 'success', task.success or '', 'failure', task.failure or '' }
end

-- Appends to the log. Each event names the one before it of the same task, so that those of one task can be read alone.
local function append(task, kind, code, attempt, number)
    number = number or text(call('HINCRBY', root, 'event', '1'))
    call('XADD', key('events'), 'MAXLEN', '~', MAX_EVENTS, 'LIMIT', '200', number .. '-0',
        'at', NOW, 'task', task.id, 'queue', task.queue, 'attempt', attempt, 'kind', kind, 'code', code,
        'before', task.event or '')
    return number
end

-- `arrival:id`: equal scores stand in the order of arrival.
local function member(task) return task.arrival .. ':' .. task.id end
local function id_of(place) return string.sub(place, 18) end

local function make_ready(task)
    local place = member(task)
    call('ZADD', key('ready', task.queue), text(task.ready - task.priority * AGEING), place)
    call('ZADD', key('waiting', task.queue), task.ready, place)
end

-- `end:id`, of a task that failed or was cancelled: 16 digits, so that equal scores stand in the order of the ends.
local function end_of(task) return string.format('%016.0f', task.finished) .. ':' .. task.id end

-- Puts a task into the sets that its state asks for.
local function enter(task)
    call('ZADD', key('state:' .. task.queue .. ':' .. task.state), task.arrival, task.id)
    if task.state == 'queued' then
        if tonumber(task.ready) > now then
            call('ZADD', key('delayed', task.queue), task.ready, member(task))
        else
            make_ready(task)
        end
        wake('q:' .. task.queue)
    elseif task.state == 'running' then
        call('ZADD', key('running', task.queue), task.started, task.id)
    elseif task.state ~= 'completed' then
        call('ZADD', key('ends', task.queue), '0', end_of(task))
    end
    if task.expires then call('ZADD', key('expiring'), task.expires, task.id) end
end

-- Takes a task out of all of them.
local function leave(task)
    call('ZREM', key('state:' .. task.queue .. ':' .. task.state), task.id)
    if task.state == 'queued' then
        local place = member(task)
        if call('ZREM', key('ready', task.queue), place) == 1 then
            call('ZREM', key('waiting', task.queue), place)
        else
            call('ZREM', key('delayed', task.queue), place)
        end
    elseif task.state == 'running' then
        call('ZREM', key('running', task.queue), task.id)
    elseif task.state ~= 'completed' then
        call('ZREM', key('ends', task.queue), end_of(task))
    end
    if task.expires then call('ZREM', key('expiring'), task.id) end
end

-- Takes a task through a transition, one of the tables AFTER_...; returns nil when its state does not allow it. `changed`
-- are fields to set (false removes one); those of a later release stay as they are.
local function move(task, transition, kind, code, changed, attempt)
    local state = transition[task.state]
    if not state then return nil end
    leave(task)
    if state == 'queued' or state == 'running' then
        if task.expires then changed.expires = false end
    else
        changed.finished = NOW
        if RETENTION then changed.expires = text(now + RETENTION) end
    end
    local event = append(task, kind, code, attempt or changed.attempt or task.attempt)
    task.state, task.event = state, event
    local set, length, gone = { 'state', state, 'event', event }, 4, {}
    for name, value in pairs(changed) do
        if value then
            set[length + 1], set[length + 2], length = name, value, length + 2
        elseif task[name] then
            gone[#gone + 1] = name
        end
        task[name] = value or nil
    end
    local place = key('task', task.id)
    call('HSET', place, unpack(set))
    if gone[1] then call('HDEL', place, unpack(gone)) end
    enter(task)
    return state
end

-- Stores the task that eight arguments from `at` on describe, and that is not there yet; `known` says that its queue is.
local TASK_ARGUMENTS = 8
local function enqueue(at, known)
    local id, queue, priority, cost, timeout, max, due, document = unpack(ARGV, at, at + TASK_ARGUMENTS - 1)
    local ready = NOW
    if due ~= '' and tonumber(due) > now then ready = due end
    -- Arrival is a number of 16 digits that only grows, comparable between partitions to about a millisecond.
    local counters = call('HMGET', root, 'arrival', 'event')
    local arrival, event = text(math.max((counters[1] or 0) + 1, now * 1000)), text((counters[2] or 0) + 1)
    call('HSET', root, 'arrival', arrival, 'event', event)
    local task = { id = id, queue = queue, priority = priority, state = 'queued', arrival = arrival, ready = ready,
        event = call('ZSCORE', key('gone'), id) }
    if task.event then call('ZREM', key('gone'), id) end
    append(task, 'task.queued', '', '0', event)
    local fields = { 'v', '1', 'task', document, 'queue', queue, 'priority', priority, 'cost', cost, 'timeout', timeout,
        'max', max, 'state', 'queued', 'attempt', '0', 'arrival', arrival, 'ready', ready, 'created', NOW, 'event', event }
    if due ~= '' then fields[#fields + 1], fields[#fields + 2] = 'due', due end
    call('HSET', key('task', id), unpack(fields))
    if not known then call('SADD', key('queues'), queue) end
    enter(task)
end

-- Enqueues the tasks a transition owes, unless they are there: a count at `at`, then their arguments.
local function enqueue_owed(at)
    for index = 0, tonumber(ARGV[at]) - 1 do
        local first = at + 1 + index * TASK_ARGUMENTS
        if call('EXISTS', key('task', ARGV[first])) == 0 then enqueue(first) end
    end
end

-- Takes a lease out of force; `holders` still leads from it to its task when `keep` says so.
local function drop_lease(task, keep)
    -- First what is removed for certain: see pass_memory_limit.
    call('ZREM', key('leases'), task.lease)
    local asked = key('asked', task.worker)
    local granted, rest = call('HGET', asked, task.request), {}
    -- Most requests were granted one.
    if granted and granted ~= task.lease then
        for lease in string.gmatch(granted, '%x+') do
            if lease ~= task.lease then rest[#rest + 1] = lease end
        end
    end
    if #rest == 0 then
        call('HDEL', asked, task.request)
    else
        call('HSET', asked, task.request, table.concat(rest, ' '))
    end
    if not keep then call('HDEL', key('holders'), task.lease) end
end

-- Takes the lease of a running task away and leaves word for its holder, who is told by his heartbeat anyway.
local function revoke(task)
    if not task.lease then return end
    drop_lease(task, false)
    local list, kept = key('revoked', task.worker), text(LEASE * 10)
    call('RPUSH', list, task.lease)
    call('LTRIM', list, -1000, -1)
    call('PEXPIRE', list, kept)
    wake('w:' .. task.worker)
    call('PEXPIRE', key('wake:w:' .. task.worker), kept)
end

-- The task of the lease that a call ending it by `how` (c, f or r) names, and whether it is still in force. Nothing when
-- it is stale.
local function named(lease, how)
    local id = call('HGET', key('holders'), lease)
    local task = id and load(id)
    if not task then return nil end
    if task.lease == lease then return task, true end
    if string.find(task.ended or '', how .. lease, 1, true) then return task, false end
    return nil
end

local function ended(task, how) return (task.ended or '') .. how .. task.lease end

-- Notes that somebody claims, renews or reaps; returns until when nobody loses a lease to time alone (presence.rs).
local function note_presence()
    local seen = call('HMGET', root, 'alive', 'grace')
    local grace = tonumber(seen[2] or '0')
    local interval = math.floor(LEASE / 3)
    local late = seen[1] and now - seen[1]
    if late and late > interval then
        pass_memory_limit()
        grace = now + interval
        call('HSET', root, 'alive', NOW, 'grace', text(grace))
    elseif not late or math.abs(late) > interval / 10 then
        pass_memory_limit()
        -- A little late, so that a claim that finds nothing writes nothing.
        call('HSET', root, 'alive', NOW)
    end
    return grace
end

-- Replaces a record by a note that its blobs are to be deleted.
local function remove(task)
    revoke(task)
    for lease in string.gmatch(task.ended or '', '%l(%x%x%x%x%x%x%x%x%x%x%x%x%x%x%x%x)') do
        call('HDEL', key('holders'), lease)
    end
    leave(task)
    call('DEL', key('task', task.id))
    local event = append(task, 'task.deleted', '', task.attempt)
    call('ZADD', key('gone'), event, task.id)
    call('ZADD', key('deletions'), event, task.id)
end

-- Ends a running task whose lease is gone from the sets: fails it for good, or queues it again with `place`.
local function end_attempt(task, permanent, code, changed, place)
    changed.lease, changed.worker, changed.request = false, false, false
    if permanent or tonumber(task.attempt) >= tonumber(task.max) then
        return move(task, AFTER_FAIL, 'task.failed', code, changed)
    end
    for name, value in pairs(place) do changed[name] = value end
    return move(task, AFTER_REQUEUE, 'task.retrying', code, changed)
end
