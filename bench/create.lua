-- Creates payments, one after the other: wrk -s create.lua URL
require("result")

wrk.method = "POST"
wrk.path = "/v2/payment_sessions"
wrk.headers["Content-Type"] = "application/json"
wrk.body = io.open("payment.json"):read("*a")
