/**
 * The programs that run inside the server, static texts. Values of users pass through them as they are: nothing is
 * decoded, and nothing of it becomes a key or a command.
 */

/** Runs steps: commands with their keys, or words of ours for what takes more than one command. */
const stepping = `
local call = redis.call
-- A sum past what an integer of the server holds stays there: to fail halfway would leave half a write.
local full = '9000000000000000000'
local told
local function add(first, last)
  local key, isNew = ARGV[first], false
  for n = first + 3, last, 2 do
    local field, sum = ARGV[n], ARGV[n + 1]
    local total = redis.pcall('HINCRBY', key, field, sum)
    if type(total) == 'table' then call('HSET', key, field, full) end
    isNew = isNew or total == tonumber(sum)
  end
  if isNew then call('ZADD', ARGV[first + 1], ARGV[first + 2], ARGV[first + 2]) end
end
-- Few flushes need any of them.
local function make()
  return {
    spend = function(key, sum)
      if type(redis.pcall('INCRBY', key, sum)) == 'table' then call('SET', key, full) end
    end,
    record = function(base, kind, key, value, label)
      if call('HSET', base .. 'r:' .. kind, key, value) == 1 then
        call('ZADD', base .. 'k:' .. kind, 0, key)
        call('SADD', base .. 'kinds', kind)
      else
        local was = call('HGET', base .. 'lk:' .. kind, key)
        if was then
          call('HDEL', base .. 'l:' .. kind, was)
          call('HDEL', base .. 'lk:' .. kind, key)
        end
      end
      if label ~= '' then
        call('HSET', base .. 'l:' .. kind, string.sub(label, 2), key)
        call('HSET', base .. 'lk:' .. kind, key, string.sub(label, 2))
        call('ZREM', base .. 'u:' .. kind, key)
      elseif kind == 'checkpoint' then
        call('ZADD', base .. 'u:' .. kind, 0, key)
      end
    end,
    unrecord = function(base, kind, key)
      call('HDEL', base .. 'r:' .. kind, key)
      call('ZREM', base .. 'k:' .. kind, key)
      call('ZREM', base .. 'u:' .. kind, key)
      local label = call('HGET', base .. 'lk:' .. kind, key)
      if label then
        call('HDEL', base .. 'l:' .. kind, label)
        call('HDEL', base .. 'lk:' .. kind, key)
      end
    end,
    unrecordall = function(base, kind)
      call('DEL', base .. 'r:' .. kind, base .. 'k:' .. kind, base .. 'u:' .. kind, base .. 'l:' .. kind, base .. 'lk:' .. kind)
      call('SREM', base .. 'kinds', kind)
    end,
    base = function(base, n, member)
      local old = call('HGET', base .. 'bm', n)
      if old then call('ZREM', base .. 'b', old); call('HDEL', base .. 'bm', n) end
      if member ~= '' then
        call('ZADD', base .. 'b', 0, member)
        call('HSET', base .. 'bm', n, member)
      end
    end,
    copy = function(key, turn, place)
      local there = call('HGET', key, turn)
      call('HSET', key, turn, there and (there .. ',' .. place) or place)
    end,
    -- Takes a member out of its order if nobody has moved it meanwhile.
    unless = function(key, score, member)
      if call('ZSCORE', key, member) == score then call('ZREM', key, member) end
    end,
    -- An id of a stream that only goes up.
    raise = function(key, id)
      local ms, n = string.match(id, '^(%d+)-(%d+)$')
      local wasMs, wasN = string.match(call('GET', key) or '0-0', '^(%d+)-(%d+)$')
      ms, n, wasMs, wasN = tonumber(ms), tonumber(n), tonumber(wasMs), tonumber(wasN)
      if ms > wasMs or (ms == wasMs and n > wasN) then call('SET', key, id) end
    end,
    -- Puts down what registers are owed; tells its place, and what of others they may not have yet.
    outbox = function(base, entry, published)
      local trimmed = tonumber(call('GET', base .. 'xt') or '0')
      local mine = trimmed + call('RPUSH', base .. 'x', entry)
      local upto = tonumber(call('GET', base .. 'xp') or '0')
      if published ~= '' and tonumber(published) > upto then
        upto = math.min(tonumber(published), mine - 1)
        call('SET', base .. 'xp', string.format('%.0f', upto))
      end
      local others = {}
      if upto < mine - 1 then others = call('LRANGE', base .. 'x', math.max(upto - trimmed, 0), -2) end
      told = {string.format('%.0f', mine), string.format('%.0f', mine - trimmed), others}
    end,
  }
end
local ours
local function step(from)
  local first, last = from + 1, from + tonumber(ARGV[from])
  local name = ARGV[first]
  if string.byte(name) < 97 then
    call(unpack(ARGV, first, last))
  elseif name == 'add' then
    add(first + 1, last)
  else
    ours = ours or make()
    ours[name](unpack(ARGV, first + 1, last))
  end
  return last + 1
end
`;

/**
 * Checks first, then writes: all of it or nothing. KEYS[1] is the session's state, or a text of a register. ARGV: how
 * many checks, each of four words; then steps, each with the number of its words. `claim` is a check that writes what
 * it asked for: the last one, if it is the only write among them.
 */
export const flushScript: string = `${stepping}
local state = call('GET', KEYS[1])
local i = 2
for _ = 1, tonumber(ARGV[1]) do
  local kind, key, a, b = ARGV[i], ARGV[i + 1], ARGV[i + 2], ARGV[i + 3]
  i = i + 4
  if kind == 'version' then
    if b == '' then
      if state then return {'taken'} end
    elseif not state or string.sub(state, 1, #b) ~= b then
      return {'moved'}
    end
  elseif kind == 'claim' then
    if call('HSETNX', key, a, b) == 0 then return {'taken'} end
  elseif kind == 'equal' then
    if (call('GET', key) or '') ~= b then return {'moved'} end
  elseif kind == 'absent' then
    if call('HEXISTS', key, a) == 1 then return {'taken'} end
  end
end
local words = #ARGV
while i <= words do i = step(i) end
local time = call('TIME')
return {'done', time[1], time[2], told}
`;

/**
 * Takes entries of outboxes into a register, each once. KEYS[1] is any key of the register. ARGV: of each entry the
 * key of what was taken in of its session, the entry's name, the time, how many words follow, and its steps.
 */
export const takeScript: string = `${stepping}
local i = 1
local words = #ARGV
while i <= words do
  local taken, name, time = ARGV[i], ARGV[i + 1], ARGV[i + 2]
  i = i + 4
  local behind = i + tonumber(ARGV[i - 1])
  if call('ZADD', taken, 'NX', time, name) == 1 then
    while i < behind do i = step(i) end
  end
  i = behind
end
`;

/**
 * Reads a session's state, the offset of its current timeline, and what else is asked for, as of one moment. KEYS[1]
 * is the session's base, a prefix of all its keys, or that of a register, which has no state. ARGV: questions, each
 * with the number of its words.
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
local state = redis.call('GET', base .. 's')
local current = state and string.match(state, '^%d+:(%d+) ')
local found = {state, redis.call('TIME'), current and redis.call('HGET', base .. 'o', current) or ''}
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

/** States of many sessions, each with its metadata. KEYS are the sessions' bases. ARGV: how many there are. */
export const rowsScript = `
local found = {}
for i = 1, tonumber(ARGV[1]) do
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
