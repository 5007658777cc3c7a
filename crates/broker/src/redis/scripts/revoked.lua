-- Takes the leases that a worker lost and has not been told of.
-- ARGV 9 worker.
-- Returns the leases.
-- Invariant: each is told once.
local list = key('revoked', ARGV[FIRST])
local lost = call('LRANGE', list, 0, 999)
if #lost > 0 then call('LTRIM', list, #lost, -1) end
return lost
