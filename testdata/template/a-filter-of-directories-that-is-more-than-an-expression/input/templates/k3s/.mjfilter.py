import os

def main(data):
    return "HOME" in os.environ
