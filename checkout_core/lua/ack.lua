--[[
  Remove decided intents from the journal: each only if its field still holds that very intent.
  A second admission of the same order has another intent id, and stays until it is decided itself.

  KEYS[1] journal   hash: order id -> admitted_ms 8 | epoch 8 | intent id 16 | body

  ARGV[1] orders, ARGV[2] intents   at most 512, in columns: ids of 16 bytes

  Returns how many were removed.
]]
local BATCH_MAX = 512

local count = #(ARGV[1] or '') / 16
if count < 1 or count > BATCH_MAX or count % 1 ~= 0 or #ARGV[2] ~= #ARGV[1] then
  return redis.error_reply('ERR ack: wrong number of arguments')
end
local ids = string.rep('c16', count)
local orders, intents = {struct.unpack(ids, ARGV[1])}, {struct.unpack(ids, ARGV[2])}

local entries, decided = redis.call('HMGET', KEYS[1], unpack(orders, 1, count)), {}
for i = 1, count do
  if entries[i] and string.sub(entries[i], 17, 32) == intents[i] then decided[#decided + 1] = orders[i] end
end
if #decided == 0 then return 0 end
return redis.call('HDEL', KEYS[1], unpack(decided))
