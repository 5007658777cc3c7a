-- Reads registry entries that have not expired.
-- ARGV 9 namespace, 10 lower bound in the manner of ZRANGEBYLEX, 11 upper bound, 12 how many.
-- Returns {key, value, version, expires or '', ...}, in the order of their keys.
-- Invariant: an expired entry does not exist and takes no place on a page.
local space, from, limit = ARGV[FIRST], ARGV[FIRST + 1], tonumber(ARGV[FIRST + 3])
local answer = {}
while #answer < limit * 4 do
    local names = call('ZRANGEBYLEX', key('names', space), from, ARGV[FIRST + 2], 'LIMIT', 0, limit)
    for _, name in ipairs(names) do
        local entry = call('HMGET', key('entry:' .. #space .. ':' .. space .. ':' .. name), 'value', 'version',
            'expires')
        if entry[1] and (not entry[3] or tonumber(entry[3]) > now) and #answer < limit * 4 then
            answer[#answer + 1] = name
            answer[#answer + 1] = entry[1]
            answer[#answer + 1] = entry[2]
            answer[#answer + 1] = entry[3] or ''
        end
        from = '(' .. name
    end
    if #names < limit then break end
end
return answer
