main = lambda data: data.get("distribution", "k3s") in ["k3s"]
