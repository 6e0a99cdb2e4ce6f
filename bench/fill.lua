-- Creates payments and pays each of them: wrk -s fill.lua URL -- COUNT FILE, where FILE gets one payment id a line.
-- Ends wrk when COUNT are paid (a few more may have been created), or at the first refusal, which it prints.
local wanted, file, create
local unpaid, paying, begun, paid = {}, {}, 0, 0

function init(arguments)
  wanted, file = tonumber(arguments[1]), io.open(arguments[2], "w")
  local headers = {["Authorization"] = wrk.headers["Authorization"], ["Content-Type"] = "application/json"}
  create = wrk.format("POST", "/v2/payment_sessions", headers, io.open("payment.json"):read("*a"))
end

function request()
  if #unpaid == 0 or begun == wanted then return create end
  local id = table.remove(unpaid)
  begun, paying[id] = begun + 1, true
  file:write(id, "\n")
  return wrk.format("POST", "/__admin/payment_sessions/" .. id .. "/pay", {}, "")
end

-- The id of the object itself, whatever lists and objects with ids it contains.
local function id_of(body)
  local fields = body:match("^%s*{(.*)}%s*$") or ""
  return fields:gsub("%b[]", ""):gsub("%b{}", ""):match('"id"%s*:%s*"([^"]+)"')
end

function response(status, headers, body)
  local id = id_of(body)
  if status == 201 and id and not paying[id] then
    unpaid[#unpaid + 1] = id
  elseif status < 300 then
    paid = paid + 1
  end
  if status >= 300 then
    print(status, body)
    os.exit(1)
  elseif paid == wanted then
    file:close()
    os.exit(0)
  end
end
