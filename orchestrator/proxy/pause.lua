-- Pause: keep requests of an app waiting while the pause map names it, instead of failing them.
-- pause.map has one line per paused app: "<app> <deadline in milliseconds>". The map is the live one: what the runtime
-- socket sets there is seen here at once (HAProxy Lua API, class Map). haproxy.cfg runs this only for paused apps.
local paused = Map.new("/run/changeover/pause.map", Map._str)

core.register_action("pause", { "http-req" }, function(txn)
    local app = txn:get_var("txn.app")
    local limit = app and paused:lookup(app)
    if not limit then return end
    local started = core.now()
    while paused:lookup(app) do
        local now = core.now()
        local waited_ms = (now.sec - started.sec) * 1000 + (now.usec - started.usec) / 1000
        if waited_ms > tonumber(limit) then
            txn:set_var("txn.pause_expired", true)
            return
        end
        core.msleep(5)
    end
end, 0)
