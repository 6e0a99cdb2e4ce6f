-- What wrk counted, as the last line of its output: calls, seconds, p50 and p99 in microseconds, failed calls.
function done(summary, latency, requests)
  local errors = summary.errors
  local failed = errors.connect + errors.read + errors.write + errors.status + errors.timeout
  print(string.format("result %d %f %d %d %d", summary.requests, summary.duration / 1e6,
    latency:percentile(50), latency:percentile(99), failed))
end
