-- Renews leases.
-- ARGV 9 worker, 10 on leases.
-- Returns when each expires, '' for one that is not this worker's or no longer in force.
-- Invariant: a lease never outlives its attempt's deadline (policy::lease_end).
pass_memory_limit()
note_presence()
local answer = {}
for index = FIRST + 1, #ARGV do
    local lease, renewed = ARGV[index], ''
    local id = call('HGET', key('holders'), lease)
    local held = id and call('HMGET', key('task', id), 'lease', 'worker', 'started', 'timeout')
    if held and held[1] == lease and held[2] == ARGV[FIRST] then
        renewed = text(math.min(now + LEASE, held[3] + held[4]))
        call('ZADD', key('leases'), renewed, lease)
    end
    answer[#answer + 1] = renewed
end
return answer
