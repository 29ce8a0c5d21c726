-- wrk's script: POST one body and compare every answer with the expected one, byte for byte.
-- wrk ... -s check.lua URL -- BODY_FILE EXPECTED_FILE
local threads = {}

local function read(path)
  local file = assert(io.open(path, "rb"))
  local text = file:read("*a")
  file:close()
  return text
end

function setup(thread)
  table.insert(threads, thread)
end

function init(args)
  wrk.method = "POST"
  wrk.body = read(args[1])
  wrk.headers["Content-Type"] = "application/json"
  expected = read(args[2])
  answers, wrong, wrong_200, sample = 0, 0, 0, ""
end

function response(status, headers, body)
  answers = answers + 1
  if status ~= 200 or body ~= expected then
    wrong = wrong + 1
    if status == 200 then wrong_200 = wrong_200 + 1 end
    if sample == "" then sample = status .. " " .. string.sub(body, 1, 160) end
  end
end

function done(summary, latency, requests)
  local answers, wrong, wrong_200, sample = 0, 0, 0, ""
  for _, thread in ipairs(threads) do
    answers = answers + thread:get("answers")
    wrong = wrong + thread:get("wrong")
    wrong_200 = wrong_200 + thread:get("wrong_200")
    if sample == "" then sample = thread:get("sample") end
  end
  local errors = summary.errors
  local form = 'FIGURES {"answers": %d, "wrong": %d, "wrong_200": %d, "seconds": %.6f, "p50_ms": %.3f, "p99_ms": %.3f, '
    .. '"max_ms": %.3f, "socket_errors": %d, "timeouts": %d, "sample": "%s"}\n'
  io.write(string.format(form, answers, wrong, wrong_200, summary.duration / 1e6, latency:percentile(50) / 1e3,
    latency:percentile(99) / 1e3, latency.max / 1e3, errors.connect + errors.read + errors.write, errors.timeout,
    (sample:gsub('[%c"\\]', " "))))
end
