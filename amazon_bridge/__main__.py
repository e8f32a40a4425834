"""``python -m amazon_bridge`` is ``amazon-bridge``."""

from amazon_bridge.cli import main

if __name__ == "__main__":
    main()
