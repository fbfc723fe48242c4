--[[
  A shopper gives up his place in the line of a sale, or the turn that he has not used; whoever is behind him moves up.

  KEYS[1] line   zset: shopper -> arrival
  KEYS[2] seen   zset: shopper -> when he was here last, in milliseconds
  KEYS[3] turns  zset: shopper -> when his turn is over

  ARGV[1] shopper  16 bytes

  Returns {left}: 1 if he had a place or a turn, else 0.
]]
local call = redis.call
local shopper = ARGV[1]
if #ARGV ~= 1 or #shopper ~= 16 then return redis.error_reply('ERR leave: malformed arguments') end

local left = call('ZREM', KEYS[1], shopper) + call('ZREM', KEYS[3], shopper)
call('ZREM', KEYS[2], shopper)
return {left > 0 and 1 or 0}
