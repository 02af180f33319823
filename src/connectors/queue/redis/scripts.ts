import { createHash } from 'node:crypto'

/**
 * What runs inside Redis, each script as one step: nobody sees a message half moved, and whoever is killed, Weir or its
 * client, leaves none behind. Every move writes the new place before it clears the old one, so that a write which Redis
 * refuses (memory, a key of another type) loses nothing. Time is Redis's own (R18).
 *
 * Keys of a queue `q`: list `q`, LPUSH at the back and RPOP at the front, as D0-076 has it; lists `q:p1` to `q:p9` for
 * higher priorities; sorted set `q:delayed` by due time in seconds (D0-075; milliseconds of other programs are
 * understood); sorted set `q:leased` of lease tokens by their end in milliseconds; hash `q:leases` of what is leased;
 * hash `q:attempts` of messages that were delivered before, by SHA-1. Sorted set `weir:due` of queues by when they next
 * have something to move.
 */
const prelude = `
local time = redis.call('TIME')
local now = time[1] * 1000 + math.floor(time[2] / 1000)
local registry = 'weir:due'
local batch = 100
local attempts_kept_max = 100000
local attempts_kept_seconds = 604800
local ms_scores_from = 100000000000

local function number(value) return string.format('%.0f', value) end
local function seconds(ms) return string.format('%.3f', ms / 1000) end

local function list_of(queue, level)
  if level == 0 then return queue end
  return queue .. ':p' .. level
end

local function level_of(body)
  local read, message = pcall(cjson.decode, body)
  local level = read and type(message) == 'table' and tonumber(message.priority) or 0
  if level ~= level then return 0 end
  return math.max(0, math.min(9, math.floor(level)))
end

-- What was delivered before is known by its SHA-1; equal messages of other programs share what is known.
local function remember(queue, body, attempts)
  local key = queue .. ':attempts'
  if attempts == 0 then return end
  if redis.call('HLEN', key) >= attempts_kept_max then redis.call('DEL', key) end
  redis.call('HSET', key, redis.sha1hex(body), attempts)
  redis.call('EXPIRE', key, attempts_kept_seconds)
end

local function recall(queue, body)
  local key = queue .. ':attempts'
  if redis.call('EXISTS', key) == 0 then return 0 end
  local field = redis.sha1hex(body)
  local attempts = tonumber(redis.call('HGET', key, field) or 0)
  redis.call('HDEL', key, field)
  return attempts
end

local function note_due(queue, at)
  redis.call('ZADD', registry, 'LT', number(at), queue)
end

-- A lease is kept as 'attempts attempts_max level owner dead body', so that whoever ends it needs no config of its own.
local function read_lease(queue, token)
  local lease = redis.call('HGET', queue .. ':leases', token)
  if not lease then return nil end
  local attempts, max, level, owner, dead, at = string.match(lease, '^(%d+) (%d+) (%d+) (%x+) (%S+) ()')
  return {
    attempts = tonumber(attempts), attempts_max = tonumber(max), level = tonumber(level),
    owner = owner, dead = dead, body = string.sub(lease, at),
  }
end

local function end_lease(queue, token)
  redis.call('HDEL', queue .. ':leases', token)
  redis.call('ZREM', queue .. ':leased', token)
end

-- Back to the front, so that what was first stays first.
local function give_back(queue, token, lease, delay)
  local outcome = 'requeued'
  if lease.attempts >= lease.attempts_max then
    redis.call('LPUSH', lease.dead, lease.body)
    outcome = 'dead-lettered'
  elseif delay > 0 then
    remember(queue, lease.body, lease.attempts)
    redis.call('ZADD', queue .. ':delayed', seconds(now + delay), lease.body)
    note_due(queue, now + delay)
    outcome = 'delayed'
  else
    remember(queue, lease.body, lease.attempts)
    redis.call('RPUSH', list_of(queue, lease.level), lease.body)
  end
  end_lease(queue, token)
  return outcome
end

-- The fractions are only an order: what was leased in one step ends in one step, or it would come back out of order.
local function end_late_leases(queue)
  local late = string.format('(%d', now + 1)
  local tokens = redis.call('ZRANGEBYSCORE', queue .. ':leased', '-inf', late, 'LIMIT', 0, batch)
  for i = #tokens, 1, -1 do
    local lease = read_lease(queue, tokens[i])
    if lease then
      give_back(queue, tokens[i], lease, 0)
    else
      redis.call('ZREM', queue .. ':leased', tokens[i])
    end
  end
end

local function move_delayed(queue, from, to)
  local key = queue .. ':delayed'
  for _, body in ipairs(redis.call('ZRANGEBYSCORE', key, from, to, 'LIMIT', 0, batch)) do
    redis.call('LPUSH', list_of(queue, level_of(body)), body)
    redis.call('ZREM', key, body)
  end
end

local function move_due(queue)
  end_late_leases(queue)
  move_delayed(queue, '-inf', seconds(now))
  move_delayed(queue, '(' .. number(ms_scores_from), number(now))
end
`

const send = `
local queue = KEYS[1]
local body, level, delay, length_max = ARGV[1], tonumber(ARGV[2]), tonumber(ARGV[3]), tonumber(ARGV[4])
if delay > 0 then
  if redis.call('ZCARD', queue .. ':delayed') >= length_max then return 0 end
  redis.call('ZADD', queue .. ':delayed', seconds(now + delay), body)
  note_due(queue, now + delay)
else
  local list = list_of(queue, level)
  if redis.call('LLEN', list) >= length_max then return 0 end
  redis.call('LPUSH', list, body)
end
return 1
`

const take = `
local queue = KEYS[1]
local lease_ms, attempts_max, dead = tonumber(ARGV[1]), ARGV[2], ARGV[3]
local owner, bytes_max = ARGV[4], tonumber(ARGV[5])
local last_token = #ARGV
move_due(queue)
local taken, bytes, next_token = {}, 0, 6
for level = 9, 0, -1 do
  local list = list_of(queue, level)
  while next_token <= last_token do
    local body = redis.call('LINDEX', list, -1)
    if not body then break end
    if #body > bytes_max then
      redis.call('LPUSH', dead, body)
      redis.call('RPOP', list)
    elseif bytes + #body > bytes_max then
      return taken
    else
      local token, attempts = ARGV[next_token], recall(queue, body) + 1
      -- A fraction of a millisecond keeps the order of those that are leased together.
      redis.call('ZADD', queue .. ':leased', string.format('%.3f', now + lease_ms + #taken / 1000), token)
      local head = attempts .. ' ' .. attempts_max .. ' ' .. level .. ' ' .. owner .. ' ' .. dead .. ' '
      redis.call('HSET', queue .. ':leases', token, head .. body)
      redis.call('RPOP', list)
      bytes, next_token = bytes + #body, next_token + 1
      taken[#taken + 1] = { token, attempts, level, body }
    end
  end
end
if #taken > 0 then
  note_due(queue, now + lease_ms)
elseif redis.call('EXISTS', queue .. ':leased', queue .. ':delayed') == 0 then
  redis.call('DEL', queue .. ':attempts')
end
return taken
`

const settle = `
local queue, mode, owner, delay = KEYS[1], ARGV[1], ARGV[2], tonumber(ARGV[3])
local outcome = ''
for i = #ARGV, 4, -1 do
  local token = ARGV[i]
  local lease = read_lease(queue, token)
  if lease and lease.owner == owner then
    if mode == 'ack' then
      end_lease(queue, token)
      outcome = 'acked'
    else
      if mode == 'untake' then lease.attempts = lease.attempts - 1 end
      if mode == 'dead' then lease.attempts_max = 0 end
      outcome = give_back(queue, token, lease, delay)
    end
  end
end
return outcome
`

const sweep = `
local function next_due(queue)
  local due = math.huge
  local lease = redis.call('ZRANGE', queue .. ':leased', 0, 0, 'WITHSCORES')
  if lease[2] then due = tonumber(lease[2]) end
  local first = redis.call('ZRANGE', queue .. ':delayed', 0, 0, 'WITHSCORES')
  if first[2] and tonumber(first[2]) <= ms_scores_from then due = math.min(due, tonumber(first[2]) * 1000) end
  local range = { queue .. ':delayed', '(' .. number(ms_scores_from), '+inf', 'WITHSCORES', 'LIMIT', 0, 1 }
  local first_ms = redis.call('ZRANGEBYSCORE', unpack(range))
  if first_ms[2] then due = math.min(due, tonumber(first_ms[2])) end
  return due
end
local function sweep_queue(queue)
  move_due(queue)
  return next_due(queue)
end
for _, queue in ipairs(redis.call('ZRANGEBYSCORE', registry, '-inf', number(now), 'LIMIT', 0, 32)) do
  -- A queue whose keys another program holds must not keep the others waiting.
  local swept, due = pcall(sweep_queue, queue)
  if not swept then due = now + 60000 end
  if due == math.huge then redis.call('ZREM', registry, queue) else redis.call('ZADD', registry, number(due), queue) end
end
local first = redis.call('ZRANGE', registry, 0, 0, 'WITHSCORES')
if not first[2] then return -1 end
return math.max(0, math.ceil(tonumber(first[2]) - now))
`

/** A script as EVALSHA and EVAL take it. */
export interface Script {
  readonly text: string
  readonly sha1: string
}

function createScript(body: string): Script {
  const text = prelude + body
  return { text, sha1: createHash('sha1').update(text).digest('hex') }
}

/**
 * By what they do. `send` KEYS queue, ARGV body level delayMs lengthMax: 1, or 0 where the queue is full. `take` KEYS
 * queue, ARGV leaseMs attemptsMax dead owner bytesMax token…: rows of token, attempts, level, body. `settle` KEYS queue,
 * ARGV mode owner delayMs token…: where it went, '' for a lease that is lost. `sweep`: milliseconds until something is
 * due, or -1.
 */
export const scripts = {
  send: createScript(send),
  take: createScript(take),
  settle: createScript(settle),
  sweep: createScript(sweep),
} as const
