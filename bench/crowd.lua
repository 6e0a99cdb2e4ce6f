-- Calls of many merchants in turn: wrk -s crowd.lua URL -- FILE, where each line of FILE is METHOD PATH CREDENTIALS BODY;
-- a BODY of - is none, one of @NAME is in the file NAME.
require("result")

local calls, turn = {}, 0

function init(arguments)
  for line in io.lines(arguments[1]) do
    local method, path, credentials, body = line:match("^(%S+) (%S+) (%S+) (.+)$")
    if body:sub(1, 1) == "@" then body = io.open(body:sub(2)):read("*a") end
    local headers = {["Authorization"] = "Basic " .. credentials, ["Content-Type"] = "application/json"}
    calls[#calls + 1] = wrk.format(method, path, headers, body ~= "-" and body or "")
  end
end

function request()
  turn = turn % #calls + 1
  return calls[turn]
end
