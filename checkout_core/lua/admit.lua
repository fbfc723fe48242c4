--[[
  Admit a batch of intents to a flash sale, or say why not. Decides in order, each with what those before it took.

  Everything is read and checked before the first write, and no write can fail after it: an error leaves no trace.

  KEYS[1] sale      hash: ident, epoch, state, avail, limit (0: none), given, starts_ms, ends_ms ('': never)
  KEYS[2] by        hash: shopper -> units held or asked for
  KEYS[3] journal   hash: order id -> admitted_ms 8 | epoch 8 | intent id 16 | body

  ARGV[1] ident        of the server, as read when the connection opened
  ARGV[2] backlog_max  undecided intents the sale may have
  ARGV[3] orders, ARGV[4] shoppers, ARGV[5] quantities   of at most 512 intents, in columns: 16, 16 and 4 bytes (big endian) each
  ARGV[6...] per intent: intent id (16 bytes) and body in one

  Returns {status, epoch, avail, codes}; codes has one byte per intent: its code, + 8 if the shopper may hold something.
  Statuses are `checkout_core.admission.Gate`, codes are `checkout_core.admission.Code`.
]]
local CLOSED, OPEN, PAUSED, NOT_STARTED, ENDED = 0, 1, 2, 3, 4
local ADMITTED, REPLAY, LIMIT, SOLD_OUT, BACKLOG, HOLDS = 1, 2, 3, 4, 5, 8
local BATCH_MAX, QUANTITY_MAX = 512, 1000000

local call = redis.call
local sale, by, journal = KEYS[1], KEYS[2], KEYS[3]
local ident, backlog_max = ARGV[1], tonumber(ARGV[2])
local count = #ARGV - 5
if not backlog_max or count < 1 or count > BATCH_MAX or #ARGV[3] ~= 16 * count or #ARGV[4] ~= 16 * count or #ARGV[5] ~= 4 * count then
  return redis.error_reply('ERR admit: wrong number of arguments')
end
-- A column is cut in one call, into a table that never grows; `struct` puts where it stopped behind the last.
local ids = string.rep('c16', count)
local orders, shoppers = {struct.unpack(ids, ARGV[3])}, {struct.unpack(ids, ARGV[4])}
local quantities = {struct.unpack('>' .. string.rep('I4', count), ARGV[5])}
for i = 1, count do
  if #ARGV[5 + i] < 16 or quantities[i] < 1 or quantities[i] > QUANTITY_MAX then
    return redis.error_reply('ERR admit: intent ' .. i .. ' is malformed')
  end
end

local stored = call('HMGET', sale, 'ident', 'epoch', 'state', 'avail', 'limit', 'starts_ms', 'ends_ms')
local epoch, state, avail, limit = tonumber(stored[2]), stored[3], tonumber(stored[4]), tonumber(stored[5])
-- A missing key is closed: never sold out, never unlimited.
if stored[1] ~= ident or not epoch or not avail or not limit then return {CLOSED, epoch or 0, 0, ''} end
if state == 'paused' then return {PAUSED, epoch, 0, ''} end
if state == 'ended' then return {ENDED, epoch, 0, ''} end
if state ~= 'open' then return {CLOSED, epoch, 0, ''} end
local time = call('TIME')
local now_ms = time[1] * 1000 + math.floor(time[2] / 1000)
local starts_ms, ends_ms = tonumber(stored[6]), tonumber(stored[7])
if starts_ms and now_ms < starts_ms then return {NOT_STARTED, epoch, 0, ''} end
if ends_ms and now_ms >= ends_ms then return {ENDED, epoch, 0, ''} end

local backlog = call('HLEN', journal)
local counts = call('HMGET', by, unpack(shoppers, 1, count))
-- What is undecided is among its shopper's units, so nobody else can have sent his order before.
local known, places, entries = {}, {}, {}
for i = 1, backlog > 0 and count or 0 do
  if counts[i] then known[#known + 1], places[#places + 1] = orders[i], i end
end
if #known > 0 then
  for n, entry in ipairs(call('HMGET', journal, unpack(known))) do entries[places[n]] = entry end
end
local stamp_epoch = struct.pack('>I8', epoch)
local stamp = struct.pack('>I8', now_ms) .. stamp_epoch

local codes, held, left = {}, {}, avail
local pending -- orders of this batch, once a shopper comes twice
local new_counts, new_entries, n = {}, {}, 0
for i = 1, count do
  local order, shopper, quantity = orders[i], shoppers[i], quantities[i]
  local again = held[shopper]
  local holds = again or (counts[i] and tonumber(counts[i])) or 0
  if again and not pending then
    pending = {}
    for at = 1, n, 2 do pending[new_entries[at]] = true end
  end
  local entry = entries[i]
  -- An entry of an older epoch is void: the order may be admitted again, over it.
  if (again and pending[order]) or (entry and string.sub(entry, 9, 16) == stamp_epoch) then
    codes[i] = REPLAY + HOLDS
  else
    local code
    if limit > 0 and holds + quantity > limit then
      code = LIMIT
    elseif left < quantity then
      code = SOLD_OUT -- of this many: what is left stays for smaller wishes
    elseif backlog >= backlog_max then
      code = BACKLOG
    end
    if code then
      codes[i] = holds > 0 and code + HOLDS or code
    else
      left, backlog = left - quantity, backlog + 1
      held[shopper] = holds + quantity
      if pending then pending[order] = true end
      new_counts[n + 1], new_counts[n + 2] = shopper, holds + quantity -- of who comes twice the last counts
      new_entries[n + 1], new_entries[n + 2] = order, stamp .. ARGV[5 + i]
      n = n + 2
      codes[i] = ADMITTED + HOLDS
    end
  end
end

if n > 0 then
  call('HINCRBY', sale, 'avail', left - avail)
  call('HSET', by, unpack(new_counts))
  call('HSET', journal, unpack(new_entries))
end
return {OPEN, epoch, left, string.char(unpack(codes))}
