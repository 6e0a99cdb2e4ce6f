-- Refunds one penny of each payment in turn: wrk -s refund.lua URL -- FILE, where FILE has one paid payment's id a line
require("result")

local ids, turn = {}, 0

function init(arguments)
  for id in io.lines(arguments[1]) do ids[#ids + 1] = id end
  wrk.headers["Content-Type"] = "application/json"
end

function request()
  turn = turn % #ids + 1
  return wrk.format("POST", "/v2/refunds", nil, '{"payment_session_id":"' .. ids[turn] .. '","amount":1}')
end
