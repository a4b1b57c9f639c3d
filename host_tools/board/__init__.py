"""What is known of boards, images, partitions and file systems; touches nothing."""
