-- Lists the newest payments: wrk -s list.lua URL
require("result")

wrk.path = "/v2/payment_sessions"
