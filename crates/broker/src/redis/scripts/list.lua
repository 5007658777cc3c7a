-- Reads the newest records.
-- ARGV 9 queue or '', 10 state or '', 11 arrival to go on below, such as '(17' or '+inf', 12 how many, 13 on all states.
-- Returns {arrival, record, arrival, record, ...}, newest first.
-- Invariant: reads one bounded range of each queue and state.
local queues = { ARGV[FIRST] }
if ARGV[FIRST] == '' then queues = call('SMEMBERS', key('queues')) end
local states = { ARGV[FIRST + 1] }
if ARGV[FIRST + 1] == '' then states = { unpack(ARGV, FIRST + 4, #ARGV) } end
local limit, found = tonumber(ARGV[FIRST + 3]), {}
for _, queue in ipairs(queues) do
    for _, state in ipairs(states) do
        local range = call('ZREVRANGEBYSCORE', key('state:' .. queue .. ':' .. state), ARGV[FIRST + 2], '-inf',
            'WITHSCORES', 'LIMIT', 0, limit)
        for index = 1, #range, 2 do found[#found + 1] = { tonumber(range[index + 1]), range[index] } end
    end
end
table.sort(found, function(left, right) return left[1] > right[1] end)
local answer = {}
for index = 1, math.min(#found, limit) do
    answer[#answer + 1] = text(found[index][1])
    answer[#answer + 1] = call('HGETALL', key('task', found[index][2]))
end
return answer
