--[[
  Take one token from each bucket, or none from any. A bucket fills evenly; what is kept of it is the moment at which it will be full.

  KEYS[i] bucket   string: that moment, in microseconds of the server's clock; absent is full

  ARGV[2i - 1] quota    tokens of a full one
  ARGV[2i]     window   microseconds in which an empty one fills

  Returns {taken, left, full_us, wait_us, left, …}: 1 or 0; then of each bucket the tokens left, the microseconds until it is full,
  and those until there is a token to take.
]]
local time = redis.call('TIME')
local now = time[1] * 1000000 + time[2]
local buckets, taken = {}, 1

for i, key in ipairs(KEYS) do
  local window = tonumber(ARGV[2 * i])
  local each = window / tonumber(ARGV[2 * i - 1])
  local full = math.max(tonumber(redis.call('GET', key) or now), now)
  buckets[i] = {window = window, each = each, full = full}
  if full + each - window > now then taken = 0 end
end

local answer = {taken}
for i, key in ipairs(KEYS) do
  local bucket = buckets[i]
  if taken == 1 then
    bucket.full = bucket.full + bucket.each
    redis.call('SET', key, string.format('%.0f', bucket.full), 'PX', math.max(1, math.ceil((bucket.full - now) / 1000)))
  end
  local full_us = bucket.full - now
  answer[#answer + 1] = math.floor((bucket.window - full_us) / bucket.each)
  answer[#answer + 1] = math.ceil(full_us)
  answer[#answer + 1] = math.max(0, math.ceil(full_us + bucket.each - bucket.window))
end
return answer
