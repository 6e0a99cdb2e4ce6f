-- Reads payments in random order: wrk -s read.lua URL -- FILE, where FILE has one payment id a line
require("result")

local ids = {}

function init(arguments)
  for id in io.lines(arguments[1]) do ids[#ids + 1] = id end
end

function request()
  return wrk.format("GET", "/v2/payment_sessions/" .. ids[math.random(#ids)])
end
