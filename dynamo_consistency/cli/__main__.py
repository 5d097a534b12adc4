from dynamo_consistency.cli import main

main()
