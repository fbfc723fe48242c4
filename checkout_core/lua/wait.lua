--[[
  A shopper's place in the line of a sale: joined at the end, kept while he comes back, and his turn when a unit is free for him.

  KEYS[1] sale    hash: ident, avail, starts_ms, ... (the gate's)
  KEYS[2] line    zset: shopper -> arrival; below 1 what was drawn before the start
  KEYS[3] seen    zset: shopper -> when he was here last, in milliseconds
  KEYS[4] turns   zset: shopper -> when his turn is over
  KEYS[5] room    hash: seq, issued, since_ms

  ARGV[1] ident    of the server, as read when the connection opened
  ARGV[2] shopper  16 bytes
  ARGV[3] join     1: he wants a place if he has none
  ARGV[4] away_ms  who was not here for so long has lost his place
  ARGV[5] turn_ms  so long a turn lasts
  ARGV[6] max      places of the line
  ARGV[7] dice     from 0 to 1, for who joins before the start
  ARGV[8] keep_ms  an idle line is forgotten after that

  Returns {status, place, total, left_ms, issued, since_ms}. Statuses are `checkout_core.room.Status`.
]]
local CLOSED, OUT, WAITING, TURN, FULL = 0, 1, 2, 3, 4
local call = redis.call
local sale, line, seen, turns, room = KEYS[1], KEYS[2], KEYS[3], KEYS[4], KEYS[5]
local shopper, away_ms, turn_ms, most = ARGV[2], tonumber(ARGV[4]), tonumber(ARGV[5]), tonumber(ARGV[6])
local dice, keep_ms = tonumber(ARGV[7]), tonumber(ARGV[8])
if #ARGV ~= 8 or #shopper ~= 16 or not away_ms or not turn_ms or not most or not dice or not keep_ms then
  return redis.error_reply('ERR wait: malformed arguments')
end

local stored = call('HMGET', sale, 'ident', 'avail', 'starts_ms')
local avail, starts_ms = tonumber(stored[2]), tonumber(stored[3])
if stored[1] ~= ARGV[1] or not avail then return {CLOSED, 0, 0, 0, 0, 0} end
local time = call('TIME')
local now_ms = time[1] * 1000 + math.floor(time[2] / 1000)
local early = starts_ms and now_ms < starts_ms

-- A hundred at a time: nobody waits for more.
for _, away in ipairs(call('ZRANGEBYSCORE', seen, '-inf', now_ms - away_ms, 'LIMIT', 0, 100)) do
  call('ZREM', line, away)
  call('ZREM', seen, away)
end
call('ZREMRANGEBYSCORE', turns, '-inf', now_ms)

local counts = call('HMGET', room, 'issued', 'since_ms')
local issued, since_ms = tonumber(counts[1] or 0), tonumber(counts[2] or 0)
local ends_ms = call('ZSCORE', turns, shopper)
if ends_ms then return {TURN, 0, call('ZCARD', line), tonumber(ends_ms) - now_ms, issued, since_ms} end

local rank = call('ZRANK', line, shopper)
if not rank then
  if ARGV[3] ~= '1' then return {OUT, 0, call('ZCARD', line), 0, issued, since_ms} end
  if call('ZCARD', line) >= most then return {FULL, 0, most, 0, issued, since_ms} end
  call('ZADD', line, 'NX', early and dice or call('HINCRBY', room, 'seq', 1), shopper)
  rank = call('ZRANK', line, shopper)
end
call('ZADD', seen, now_ms, shopper)
for _, key in ipairs({line, seen, turns, room}) do call('PEXPIRE', key, keep_ms) end
if not early and rank < avail - call('ZCARD', turns) then
  call('ZREM', line, shopper)
  call('ZREM', seen, shopper)
  call('ZADD', turns, now_ms + turn_ms, shopper)
  call('PEXPIRE', turns, keep_ms)
  issued = call('HINCRBY', room, 'issued', 1)
  call('HSETNX', room, 'since_ms', now_ms)
  return {TURN, 0, call('ZCARD', line), turn_ms, issued, since_ms}
end
return {WAITING, rank + 1, call('ZCARD', line), 0, issued, since_ms}
