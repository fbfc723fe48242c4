--[[
  Who of a batch may go on to the gate of a sale with a waiting room: everybody while nobody waits; then who has his turn, who holds something
  already, and who had his turn a moment ago and presses again.

  KEYS[1] by      hash: shopper -> units held or asked for (the gate's)
  KEYS[2] line    zset: shopper -> arrival
  KEYS[3] turns   zset: shopper -> when his turn is over
  KEYS[4] passed  zset: shopper -> until when he may press again

  ARGV[1] shoppers  of at most 512 presses, 16 bytes each
  ARGV[2] used_ms   so long a turn that was used counts on, until the gate counts its unit
  ARGV[3] again_ms  so long who used it may press again

  Returns {may}: one byte per press, 1 or 0.
]]
local call = redis.call
local by, line, turns, passed = KEYS[1], KEYS[2], KEYS[3], KEYS[4]
local count, used_ms, again_ms = #ARGV[1] / 16, tonumber(ARGV[2]), tonumber(ARGV[3])
if count < 1 or count > 512 or count ~= math.floor(count) or not used_ms or not again_ms then
  return redis.error_reply('ERR enter: wrong number of arguments')
end
if call('ZCARD', line) == 0 and call('ZCARD', turns) == 0 then return {string.rep('\1', count)} end

local time = call('TIME')
local now_ms = time[1] * 1000 + math.floor(time[2] / 1000)
call('ZREMRANGEBYSCORE', turns, '-inf', now_ms)
call('ZREMRANGEBYSCORE', passed, '-inf', now_ms)
local may = {}
for i = 1, count do
  local shopper = string.sub(ARGV[1], 16 * i - 15, 16 * i)
  may[i] = 1
  if call('ZSCORE', turns, shopper) then
    call('ZADD', turns, 'LT', now_ms + used_ms, shopper)
    call('ZADD', passed, now_ms + again_ms, shopper)
    call('PEXPIRE', passed, again_ms)
  elseif call('HEXISTS', by, shopper) == 0 and not call('ZSCORE', passed, shopper) then
    may[i] = 0
  end
end
return {string.char(unpack(may))}
