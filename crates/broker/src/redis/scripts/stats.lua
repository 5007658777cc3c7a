-- Counts.
-- ARGV 9 on all states.
-- Returns {now, pending deletions, {queue, due, delayed, oldest ready or '', oldest due or '', oldest running or '',
-- one count a state}, ...}.
-- Invariant: reads cardinalities and first members only.
local function oldest(name)
    local first = call('ZRANGE', key(name), 0, 0, 'WITHSCORES')
    return first[2] and text(tonumber(first[2])) or ''
end
local answer = { NOW, call('ZCARD', key('deletions')) }
for _, queue in ipairs(call('SMEMBERS', key('queues'))) do
    local delayed = key('delayed', queue)
    local row = { queue, call('ZCOUNT', delayed, '-inf', now), call('ZCARD', delayed),
        oldest('waiting:' .. queue), oldest('delayed:' .. queue), oldest('running:' .. queue) }
    for index = FIRST, #ARGV do
        row[#row + 1] = call('ZCARD', key('state:' .. queue .. ':' .. ARGV[index]))
    end
    answer[#answer + 1] = row
end
return answer
