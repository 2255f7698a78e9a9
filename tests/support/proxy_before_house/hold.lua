-- Hold: keep requests of an app waiting while the hold map says so, instead of failing them.
-- hold.map has one line per held app: "<app> <deadline in milliseconds>". The map is the live one: what the runtime
-- socket sets there is seen here at once (HAProxy Lua API, class Map).
local held = Map.new("/run/changeover/hold.map", Map._str)

core.register_action("hold", { "http-req" }, function(txn)
    local app = txn:get_var("txn.app")
    local limit = app and held:lookup(app)
    if not limit then return end
    local started = core.now()
    while held:lookup(app) do
        local now = core.now()
        local waited_ms = (now.sec - started.sec) * 1000 + (now.usec - started.usec) / 1000
        if waited_ms > tonumber(limit) then
            txn:set_var("txn.hold_expired", true)
            return
        end
        core.msleep(5)
    end
end, 0)
