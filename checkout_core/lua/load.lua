--[[
  Open a flash sale, or change a running one: replace its counters by what Postgres counted, under a new epoch.
  The journal stays: its entries are of an older epoch now, which is void, and whoever recovers them removes them.

  KEYS[1] sale      hash: ident, epoch, state, avail, limit, given, starts_ms, ends_ms
  KEYS[2] by        hash: shopper -> units held or asked for

  ARGV[1] ident      of the server, as read when the connection opened
  ARGV[2] epoch      newer than the stored one, else nothing happens: a load that comes late must not undo a later one
  ARGV[3] state      open, paused or ended
  ARGV[4] avail      ARGV[5] limit (0: none)      ARGV[6] given: the last give-back inside the count
  ARGV[7] starts_ms  ARGV[8] ends_ms              unix milliseconds, '' for none
  ARGV[9...] per shopper who holds something: shopper (16 bytes), units

  Returns {status, epoch}: the epoch stored now. Statuses are `checkout_core.admission.Loaded`.
]]
local LOADED, STALE = 1, 2
local SLICE = 1000 -- arguments per HSET: unpack fails at 8,000

local sale, by = KEYS[1], KEYS[2]
local ident, state, starts_ms, ends_ms = ARGV[1], ARGV[3], ARGV[7], ARGV[8]
local epoch, avail, limit, given = tonumber(ARGV[2]), tonumber(ARGV[4]), tonumber(ARGV[5]), tonumber(ARGV[6])
local function is_count(n) return n and n % 1 == 0 and n >= 0 and n <= 9007199254740992 end
local function is_time(text) return text == '' or is_count(tonumber(text)) end
if #ARGV < 8 or #ARGV % 2 ~= 0 or #ident == 0 or not (is_count(epoch) and is_count(avail) and is_count(limit) and is_count(given))
  or not (state == 'open' or state == 'paused' or state == 'ended') or not is_time(starts_ms) or not is_time(ends_ms) then
  return redis.error_reply('ERR load: malformed arguments')
end
for at = 9, #ARGV, 2 do
  if #ARGV[at] ~= 16 or not is_count(tonumber(ARGV[at + 1])) then return redis.error_reply('ERR load: a shopper is malformed') end
end
local stored = tonumber(redis.call('HGET', sale, 'epoch'))
if stored and stored >= epoch then return {STALE, stored} end

-- The first write is one that a full memory refuses; those after it then cannot be.
-- Numbers, not the texts they came as: Lua reads '1e3', HINCRBY does not.
redis.call('HSET', sale, 'state', state, 'avail', avail, 'limit', limit, 'given', given, 'starts_ms', starts_ms, 'ends_ms', ends_ms)
redis.call('UNLINK', by)
for at = 9, #ARGV, SLICE do
  redis.call('HSET', by, unpack(ARGV, at, math.min(at + SLICE - 1, #ARGV)))
end
redis.call('HSET', sale, 'epoch', epoch, 'ident', ident)
return {LOADED, epoch}
