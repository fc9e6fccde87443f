-- Posts the bodies of a file, one a line, in turn; each thread begins at another. Prints what it measured as JSON.
-- A second argument is how many milliseconds a connection waits between two requests, on average.
local requests, at, threads = {}, 0, {}

function setup(thread)
    thread:set("number", #threads)
    table.insert(threads, thread)
end

function init(args)
    for line in io.lines(args[1]) do
        table.insert(requests, wrk.format("POST", "/invocations", { ["Content-Type"] = "application/json" }, line))
    end
    at = number * 101
    local pause = tonumber(args[2] or "0")
    if pause > 0 then
        -- wrk waits for whole ones.
        function delay() return math.floor(pause + math.random()) end
    end
end

function request()
    at = at + 1
    return requests[at % #requests + 1]
end

function done(summary, latency, _)
    local errors = summary.errors
    io.write(string.format(
        '{"requests":%d,"seconds":%f,"failed":%d,"p50_us":%d,"p99_us":%d}\n',
        summary.requests, summary.duration / 1e6,
        -- What wrk calls a timeout is an answer after 2 s, which p99 tells.
        errors.connect + errors.read + errors.write + errors.status,
        latency:percentile(50), latency:percentile(99)
    ))
end
