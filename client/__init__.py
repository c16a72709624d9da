"""The command line client. `veracity submit talk.mp4 --wait`"""
