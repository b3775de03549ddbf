main = lambda data: (
    data.get("distribution", "k3s") in ["talos"] and
        data.get("cloudflare", {}).get("enabled", False) == True
)
