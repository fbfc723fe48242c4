--[[
  Give units back to a flash sale's counter: rows of Postgres, in their order, each once.

  KEYS[1] sale      hash: ident, epoch, avail, given, ...
  KEYS[2] by        hash: shopper -> units held or asked for

  ARGV[1] ident     of the server, as read when the connection opened
  ARGV[2] epoch     of the rows: those of another epoch are inside a count, or will be
  ARGV[3] from_seq  the rows begin after this one: applied only if it was the last one applied
  ARGV[4...] per row, at most 512: seq (without gaps), shopper (16 bytes, '' for nobody), units, slots of the shopper

  Returns {status, given, epoch}: the last row applied and the epoch stored. Statuses are `checkout_core.admission.Given`.
]]
local CLOSED, APPLIED, ALREADY, OUT_OF_STEP, STALE = 0, 1, 2, 3, 4
local BATCH_MAX = 512

local sale, by = KEYS[1], KEYS[2]
local ident, epoch, from_seq = ARGV[1], tonumber(ARGV[2]), tonumber(ARGV[3])
local count = (#ARGV - 3) / 4
if not epoch or not from_seq or count < 1 or count > BATCH_MAX or count % 1 ~= 0 then
  return redis.error_reply('ERR give_back: wrong number of arguments')
end
local function is_count(n) return n and n % 1 == 0 and n >= 0 and n <= 1000000000 end
local units, returned, shoppers = 0, {}, {}
for i = 1, count do
  local at = 4 * i
  local seq, shopper, row_units, slots = tonumber(ARGV[at]), ARGV[at + 1], tonumber(ARGV[at + 2]), tonumber(ARGV[at + 3])
  if seq ~= from_seq + i or not is_count(row_units) or not is_count(slots) or (shopper ~= '' and #shopper ~= 16) then
    return redis.error_reply('ERR give_back: row ' .. i .. ' is malformed')
  end
  units = units + row_units
  if shopper ~= '' then
    if not returned[shopper] then shoppers[#shoppers + 1] = shopper end
    returned[shopper] = (returned[shopper] or 0) + slots
  end
end

local stored = redis.call('HMGET', sale, 'ident', 'epoch', 'given', 'avail')
local stored_epoch, given, avail = tonumber(stored[2]), tonumber(stored[3]), tonumber(stored[4])
if stored[1] ~= ident or not stored_epoch or not given or not avail then return {CLOSED, given or 0, stored_epoch or 0} end
if stored_epoch ~= epoch then return {STALE, given, stored_epoch} end
if given ~= from_seq then return {given >= from_seq + count and ALREADY or OUT_OF_STEP, given, stored_epoch} end

local kept, gone = {}, {}
if #shoppers > 0 then
  local counts = redis.call('HMGET', by, unpack(shoppers))
  for i, shopper in ipairs(shoppers) do
    local left = (tonumber(counts[i]) or 0) - returned[shopper]
    if left > 0 then
      kept[#kept + 1] = shopper
      kept[#kept + 1] = left
    else
      gone[#gone + 1] = shopper
    end
  end
end
redis.call('HSET', sale, 'avail', avail + units, 'given', from_seq + count)
if #kept > 0 then redis.call('HSET', by, unpack(kept)) end
if #gone > 0 then redis.call('HDEL', by, unpack(gone)) end
return {APPLIED, from_seq + count, stored_epoch}
