/**
 * The two programs that run inside the server, static texts. Values of users pass through them as they are: nothing
 * is decoded, and nothing of it becomes a key or a command.
 */

/**
 * Checks first, then writes: all of it or nothing. KEYS[1] is the session's state. ARGV: how many checks, each of four
 * words; how many steps, each with the number of its words. A step is a command with its key, or a word of ours for
 * what takes more than one command.
 */
export const flushScript = `
local i = 1
local function word() local w = ARGV[i]; i = i + 1; return w end
local state = redis.call('GET', KEYS[1])
for _ = 1, tonumber(word()) do
  local kind, key, a, b = word(), word(), word(), word()
  if kind == 'version' then
    if b == '' then
      if state then return {'taken'} end
    elseif not state or string.sub(state, 1, string.len(b)) ~= b then
      return {'moved'}
    end
  elseif kind == 'equal' then
    if (redis.call('GET', key) or '') ~= b then return {'moved'} end
  elseif kind == 'absent' then
    if redis.call('HEXISTS', key, a) == 1 then return {'taken'} end
  end
end
-- A sum past what an integer of the server holds stays there: to fail halfway would leave half a write.
local full = '9000000000000000000'
local steps = {
  record = function(p)
    local base, kind, key = p[2], p[3], p[4]
    local hash = base .. 'r:' .. kind
    if redis.call('HSET', hash, key, p[5]) == 1 then
      redis.call('ZADD', base .. 'k:' .. kind, 0, key)
      redis.call('SADD', base .. 'kinds', kind)
    else
      local label = redis.call('HGET', base .. 'lk:' .. kind, key)
      if label then
        redis.call('HDEL', base .. 'l:' .. kind, label)
        redis.call('HDEL', base .. 'lk:' .. kind, key)
      end
    end
    if p[6] ~= '' then
      redis.call('HSET', base .. 'l:' .. kind, string.sub(p[6], 2), key)
      redis.call('HSET', base .. 'lk:' .. kind, key, string.sub(p[6], 2))
      redis.call('ZREM', base .. 'u:' .. kind, key)
    elseif kind == 'checkpoint' then
      redis.call('ZADD', base .. 'u:' .. kind, 0, key)
    end
    if p[7] ~= '' then
      redis.call('ZADD', p[8] .. kind, p[7], p[9] .. string.char(10) .. key)
      redis.call('SADD', p[8], kind)
    else
      redis.call('ZREM', p[8] .. kind, p[9] .. string.char(10) .. key)
    end
  end,
  unrecord = function(p)
    local base, kind, key = p[2], p[3], p[4]
    redis.call('HDEL', base .. 'r:' .. kind, key)
    redis.call('ZREM', base .. 'k:' .. kind, key)
    redis.call('ZREM', base .. 'u:' .. kind, key)
    redis.call('ZREM', p[5] .. kind, p[6] .. string.char(10) .. key)
    local label = redis.call('HGET', base .. 'lk:' .. kind, key)
    if label then
      redis.call('HDEL', base .. 'l:' .. kind, label)
      redis.call('HDEL', base .. 'lk:' .. kind, key)
    end
  end,
  unrecordall = function(p)
    local base, kind = p[2], p[3]
    local due = p[4] .. kind
    for _, key in ipairs(redis.call('HKEYS', base .. 'r:' .. kind)) do
      redis.call('ZREM', due, p[5] .. string.char(10) .. key)
    end
    redis.call('DEL', base .. 'r:' .. kind, base .. 'k:' .. kind, base .. 'u:' .. kind, base .. 'l:' .. kind, base .. 'lk:' .. kind)
    redis.call('SREM', base .. 'kinds', kind)
  end,
  base = function(p)
    local old = redis.call('HGET', p[2] .. 'bm', p[3])
    if old then redis.call('ZREM', p[2] .. 'b', old); redis.call('HDEL', p[2] .. 'bm', p[3]) end
    if p[4] ~= '' then
      redis.call('ZADD', p[2] .. 'b', 0, p[4])
      redis.call('HSET', p[2] .. 'bm', p[3], p[4])
    end
  end,
  copy = function(p)
    local there = redis.call('HGET', p[2], p[3])
    redis.call('HSET', p[2], p[3], there and (there .. ',' .. p[4]) or p[4])
  end,
  add = function(p)
    if not pcall(redis.call, 'HINCRBY', p[2], p[3], p[4]) then redis.call('HSET', p[2], p[3], full) end
  end,
  spend = function(p)
    if not pcall(redis.call, 'INCRBY', p[2], p[3]) then redis.call('SET', p[2], full) end
  end,
}
for _ = 1, tonumber(word()) do
  local count = tonumber(word())
  local p = {}
  for n = 1, count do p[n] = word() end
  local step = steps[p[1]]
  if step then step(p) else redis.call(unpack(p)) end
end
local time = redis.call('TIME')
return {'done', time[1], time[2]}
`;

/**
 * Reads a session's state and what else is asked for, as of one moment. KEYS[1] is the session's base, a prefix of
 * all its keys. ARGV: questions, each with the number of its words.
 */
export const loadScript = `
local base = KEYS[1]
local i = 1
local function word() local w = ARGV[i]; i = i + 1; return w end
local function place(n, index)
  local row = redis.call('LINDEX', base .. 't:' .. n, index)
  if not row then return false end
  return {n, index, redis.call('HGET', base .. 'o', n) or '', row}
end
local function at(where)
  local n, index = string.match(where, '^(%d+):(%d+)$')
  return place(n, index)
end
local function rightAfter(n, index, offset)
  local first = tonumber(string.match(offset, '^%d+') or '1')
  local upto = '[' .. string.format('%015.0f', (first + index) * 2) .. '~'
  return redis.call('ZREVRANGEBYLEX', base .. 'v:' .. n, upto, '-', 'LIMIT', 0, 1)
end
local questions = {
  turn = function(p)
    local where = redis.call('HGET', base .. 'i', p[2])
    return where and at(where)
  end,
  copies = function(p) return redis.call('HGET', base .. 'c', p[2]) end,
  at = function(p) return at(p[2]) end,
  lastTurn = function(p)
    local length = redis.call('LLEN', base .. 't:' .. p[2])
    return length > 0 and place(p[2], length - 1)
  end,
  mark = function(p)
    local found = redis.call('ZRANGEBYSCORE', base .. 'm', p[2], p[2], 'LIMIT', 0, 1)[1]
    if not found then return false end
    local n, index = string.match(found, '^(%d+):(%d+)$')
    local row = place(n, index)
    if not row then return false end
    return {row, rightAfter(n, tonumber(index), row[3]), redis.call('HGET', base .. 'tl', n)}
  end,
  record = function(p) return redis.call('HGET', base .. 'r:' .. p[2], p[3]) end,
  feed = function(p)
    local gone = tonumber(redis.call('GET', base .. 'fo') or '0')
    local from = math.max(tonumber(p[2]) - gone, 0)
    return redis.call('LRANGE', base .. 'f', from, from + tonumber(p[3]) - 1)
  end,
  span = function(p)
    local first = tonumber(p[3])
    local rows = redis.call('LRANGE', base .. 't:' .. p[2], first, first + tonumber(p[4]) - 1)
    return {redis.call('HGET', base .. 'o', p[2]) or '', rows}
  end,
  labelled = function(p)
    local key = redis.call('HGET', base .. 'l:' .. p[2], p[3])
    return key and {key, redis.call('HGET', base .. 'r:' .. p[2], key)}
  end,
}
local found = {redis.call('GET', base .. 's'), redis.call('TIME')}
while i <= #ARGV do
  local count = tonumber(word())
  local p = {}
  for n = 1, count do p[n] = word() end
  local ask = questions[p[1]]
  local answer
  if ask then answer = ask(p) else answer = redis.call(unpack(p)) end
  found[#found + 1] = answer or false
end
return found
`;

/** States of many sessions, each with its metadata. KEYS are the sessions' bases. */
export const rowsScript = `
local found = {}
for i = 1, #KEYS do
  found[i * 2 - 1] = redis.call('GET', KEYS[i] .. 's')
  found[i * 2] = redis.call('HGET', KEYS[i] .. 'r:metadata', '')
end
return found
`;

/**
 * Turns of several segments of one session. KEYS[1] is the session's base. ARGV: how many at most, `asc` or `desc`,
 * then of each segment the timeline's number and the seqs. Answers for each segment its offset and its rows.
 */
export const turnsScript = `
local base = KEYS[1]
local left = tonumber(ARGV[1])
local found = {}
for i = 3, #ARGV, 3 do
  local n, from, to = ARGV[i], tonumber(ARGV[i + 1]), tonumber(ARGV[i + 2])
  local offset = redis.call('HGET', base .. 'o', n) or ''
  local first = tonumber(string.match(offset, '^%d+') or '1')
  local length = redis.call('LLEN', base .. 't:' .. n)
  local low = math.max(from - first, 0)
  local high = math.min(to - first, length - 1)
  if high - low + 1 > left then
    if ARGV[2] == 'asc' then high = low + left - 1 else low = high - left + 1 end
  end
  local rows = {}
  if low <= high then rows = redis.call('LRANGE', base .. 't:' .. n, low, high) end
  left = left - #rows
  found[#found + 1] = {offset, string.format('%.0f', first + low), rows}
end
return found
`;
