--[[
  Forget an ended flash sale, once all its intents are decided.

  KEYS[1] sale      hash: epoch, ...
  KEYS[2] by        hash: shopper -> units held or asked for
  KEYS[3] journal   hash: order id -> intent

  ARGV[1] epoch     under which the sale ended: one that was loaded later stays

  Returns {status}. Statuses are `checkout_core.admission.Dropped`.
]]
local DROPPED, STALE, BUSY = 1, 2, 3

local epoch = tonumber(ARGV[1])
if not epoch or #ARGV ~= 1 then return redis.error_reply('ERR drop: malformed arguments') end
local stored = tonumber(redis.call('HGET', KEYS[1], 'epoch'))
if stored and stored > epoch then return {STALE} end
if redis.call('HLEN', KEYS[3]) > 0 then return {BUSY} end
redis.call('UNLINK', KEYS[1], KEYS[2])
return {DROPPED}
