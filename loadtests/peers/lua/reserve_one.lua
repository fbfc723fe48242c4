--[[
  Reserve for one wish, or say why not: the rules of `admit.lua`, the obvious way, one script call a request.

  KEYS[1] sale    hash: state, avail, limit (0: none), starts_ms, ends_ms ('': never)
  KEYS[2] by      hash: shopper -> units
  KEYS[3] orders  hash: order id -> body

  ARGV[1] order id
  ARGV[2] shopper
  ARGV[3] quantity
  ARGV[4] body    what is kept of the wish; the same order with another body is a conflict

  Returns a number of `loadtests.peers.stock.Code`.
]]
local CLOSED, RESERVED, REPLAY, LIMIT, SOLD_OUT, CONFLICT = 0, 1, 2, 3, 4, 5
local sale, by, orders = KEYS[1], KEYS[2], KEYS[3]
local order, shopper, quantity, body = ARGV[1], ARGV[2], tonumber(ARGV[3]), ARGV[4]

local known = redis.call('HGET', orders, order)
if known then
  return known == body and REPLAY or CONFLICT
end
local stored = redis.call('HMGET', sale, 'state', 'avail', 'limit', 'starts_ms', 'ends_ms')
local avail, limit = tonumber(stored[2]), tonumber(stored[3])
if stored[1] ~= 'open' or not avail or not limit then return CLOSED end
local time = redis.call('TIME')
local now_ms = time[1] * 1000 + math.floor(time[2] / 1000)
local starts_ms, ends_ms = tonumber(stored[4]), tonumber(stored[5])
if (starts_ms and now_ms < starts_ms) or (ends_ms and now_ms >= ends_ms) then return CLOSED end
local holds = tonumber(redis.call('HGET', by, shopper)) or 0
if limit > 0 and holds + quantity > limit then return LIMIT end
if avail < quantity then return SOLD_OUT end

redis.call('HINCRBY', sale, 'avail', -quantity)
redis.call('HINCRBY', by, shopper, quantity)
redis.call('HSET', orders, order, body)
return RESERVED
