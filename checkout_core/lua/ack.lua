--[[
  Remove decided intents from the journal: each only if its field still holds that very intent.
  A second admission of the same order has another intent id, and stays until it is decided itself.

  KEYS[1] journal   hash: order id -> admitted_ms 8 | epoch 8 | intent id 16 | body

  ARGV per intent, at most 512: order id (16 bytes), intent id (16 bytes)

  Returns how many were removed.
]]
local BATCH_MAX = 512

local count = #ARGV / 2
if count < 1 or count > BATCH_MAX or count % 1 ~= 0 then return redis.error_reply('ERR ack: wrong number of arguments') end
local orders = {}
for i = 1, count do
  if #ARGV[2 * i - 1] ~= 16 or #ARGV[2 * i] ~= 16 then return redis.error_reply('ERR ack: intent ' .. i .. ' is malformed') end
  orders[i] = ARGV[2 * i - 1]
end

local entries, decided = redis.call('HMGET', KEYS[1], unpack(orders)), {}
for i = 1, count do
  if entries[i] and string.sub(entries[i], 17, 32) == ARGV[2 * i] then decided[#decided + 1] = orders[i] end
end
if #decided == 0 then return 0 end
return redis.call('HDEL', KEYS[1], unpack(decided))
