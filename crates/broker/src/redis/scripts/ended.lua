-- Reads the tasks of a queue that failed or were cancelled, the first that did so first.
-- ARGV 9 queue, 10 the bound to begin at, such as '[0001767225600000' or '(0001767225600000:ID', 11 how many at most.
-- Returns their fields.
-- Invariant: reads one bounded range. A release that does not know the set leaves places in it that tasks have left: those
-- are taken out when they are met.
local ends, answer = key('ends', ARGV[FIRST]), {}
for _, place in ipairs(call('ZRANGEBYLEX', ends, ARGV[FIRST + 1], '+', 'LIMIT', 0, ARGV[FIRST + 2])) do
    local task = load(id_of(place))
    if task and task.finished and end_of(task) == place then
        answer[#answer + 1] = record(task)
    else
        call('ZREM', ends, place)
    end
end
return answer
